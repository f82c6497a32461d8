/**
 * What the bench's application serves: body bytes by path. `/rolling` renews its session cookie with each response, `/a/` is where
 * instance-path has backend `a`.
 */
export const pages = { '/': 128, '/a/': 128, '/rolling': 128, '/64k': 64 * 1024, '/1m': 1024 * 1024 } as const

export type Path = keyof typeof pages

/** The application's session cookie. Its value begins with the id of the backend that holds the session, and ends with it as Tomcat's. */
export const sessionCookie = 'JSESSIONID'

/** The exact body a backend sends, so that a client can check whose it is and that all of it came. */
export function bodyOf(backend: string, path: Path): Buffer {
  return Buffer.alloc(pages[path], `backend ${backend} serves ${path}. `)
}

/** What the application tells when asked: requests it served since its start, and those for sessions of another backend. */
export interface Counts {
  readonly served: number
  readonly refused: number
}
