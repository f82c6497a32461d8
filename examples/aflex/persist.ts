import type { RequestFacts, RequestHook, ResponseHook } from '@sticky/proxy'

// The script of "cookie-based session persistence" on A10's AX: a session is kept by the value of the application's cookie, and
// by the client's address as long as there is none.

const cookie = 'JSESSIONID'
const age = '300s'

/** when HTTP_REQUEST: persist uie $key 300 */
export const request: RequestHook = (context) => {
  context.use(context.persist.lookup(keyOf(context)))
}

/** when HTTP_RESPONSE: set p [persist lookup uie $key]; if { $p eq "" } { persist add uie $key 300 } */
export const response: ResponseHook = ({ request, setCookie, persist }) => {
  // Looks up first: what is bound stays where it is.
  persist.add(keyOf(request), { age })
  // The original says in words that the value a server sets is the key, and its script forgets it.
  persist.add(setCookie.get(cookie), { age })
  if (setCookie.deletes(cookie)) persist.delete(request.cookie.get(cookie))
}

function keyOf({ cookie: cookies, clientAddress }: RequestFacts): string {
  return cookies.get(cookie) || clientAddress
}
