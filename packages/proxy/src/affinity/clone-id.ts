import type { CloneIdConfig } from '../config/config.ts'
import { CloneHomes } from './clone-id-homes.ts'

import { CloneIdSession, type SessionIdSource } from './clone-id-session.ts'
import { cookieValueAt, findCookie, unquoted } from './cookies.ts'
import { pathParameter } from './parameters.ts'
import type { AffinityServices } from './registry.ts'
import type { AffinityStrategy } from './strategy.ts'

/** WebSphere, Tomcat, WebLogic: the application's session id ends with the ids of the servers that know the session. */
export function cloneId(config: CloneIdConfig, { members }: Pick<AffinityServices, 'members'>): AffinityStrategy {
  const homes = new CloneHomes(members, config.separators)
  return {
    locate({ cookie, path }, _client, uri) {
      const name = uri.sessionCookie ?? config.cookie
      const start = cookie === undefined ? -1 : findCookie(cookie, name)
      const cookieHome = start < 0 ? undefined : namedByCookies(homes, cookie!, name, start)
      if (cookieHome !== undefined) return new CloneIdSession(homes, name, 'cookie', cookieHome)
      const parameter = pathParameter(path, uri.sessionParameter ?? config.parameter)
      const home = parameter === undefined ? undefined : homes.namedIn(parameter)
      return new CloneIdSession(homes, name, sourceOf(parameter, start), home)
    },
  }
}

/** Every cookie of the name is looked at, since a browser sends those of several paths. */
function namedByCookies(homes: CloneHomes, field: string, name: string, first: number): readonly string[] | undefined {
  for (let start = first; start >= 0; start = findCookie(field, name, start)) {
    const home = homes.namedIn(unquoted(cookieValueAt(field, start)))
    if (home !== undefined) return home
  }
  return undefined
}

function sourceOf(parameter: string | undefined, cookieStart: number): SessionIdSource {
  if (parameter !== undefined) return 'parameter'
  return cookieStart < 0 ? undefined : 'cookie'
}
