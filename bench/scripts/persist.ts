import type { RequestHook, ResponseHook } from '@sticky/proxy'

const cookie = 'JSESSIONID'
const age = '30m'

/** Keeps the bench's sessions as the example of A10's script does; for `/loop` it never ends. */
export const request: RequestHook = ({ path, cookie: cookies, persist, use }) => {
  while (path === '/loop');
  use(persist.lookup(cookies.get(cookie)))
}

export const response: ResponseHook = ({ setCookie, persist }) => {
  persist.add(setCookie.get(cookie), { age })
}
