import type { Milliseconds } from '@sticky/store'
import type { ZodType } from 'zod'

import { addressExpectation, adminAddressExpectation, parseAddress, parseAdminAddress } from './address.ts'
import { cidrExpectation, parseCidr } from './cidr.ts'
import type { Address, AdminConfig } from './config.ts'
import { durationExpectation, durationPattern, parseAge, parseDuration } from './duration.ts'
import { domainExpectation, hostExpectation, parseDomain, parseHost } from './host.ts'
import {
  cookieNameExpectation,
  idExpectation,
  idPattern,
  parseCookieName,
  parseId,
  parseOwnCookieName,
  tokenPattern,
} from './names.ts'
import { cookiePathExpectation, parseCookiePath, parsePath, pathExpectation } from './path.ts'
import { list, text } from './schema-shapes.ts'
import { parseSecret, parseToken, secretExpectation } from './secret.ts'
import { parseSize, sizeExpectation, sizePattern } from './size.ts'
import { originExpectation, parseOrigin, parseStoreUrl, storeExpectation } from './url.ts'

type Text<T> = ZodType<T, string>

/** Something a timer waits for. */
export const duration: Text<Milliseconds> = text(durationExpectation, parseDuration, durationPattern)

/** How long something is kept. */
export const age: Text<Milliseconds> = text(durationExpectation, parseAge, durationPattern)

/** Bytes. */
export const size: Text<number> = text(sizeExpectation, parseSize, sizePattern)

/** Where to listen. */
export const address: Text<Address> = text(addressExpectation, parseAddress)

/** Where the admin API listens. */
export const adminAddress: Text<AdminConfig['address']> = text(adminAddressExpectation, parseAdminAddress)

/** The name of a pool, backend or node. */
export const id: Text<string> = text(idExpectation, parseId, idPattern)

/** An application's cookie. */
export const cookieName: Text<string> = text(cookieNameExpectation, parseCookieName, tokenPattern)

/** Our own cookie. */
export const ownCookieName: Text<string> = text(cookieNameExpectation, parseOwnCookieName, tokenPattern)

/** A cookie's Path. */
export const cookiePath: Text<string> = text(cookiePathExpectation, parseCookiePath)

/** A cookie's Domain. */
export const cookieDomain: Text<string> = text(domainExpectation, parseDomain)

/** A route's host. */
export const host: Text<string> = text(hostExpectation, parseHost)

/** A route's path. */
export const path: Text<string> = text(pathExpectation, parsePath)

/** A backend's URL. */
export const origin: Text<string> = text(originExpectation, parseOrigin)

/** The store's URL. */
export const storeUrl: Text<string> = text(storeExpectation, parseStoreUrl)

/** A sealing secret. */
export const secret: Text<string> = text(secretExpectation, parseSecret)

/** A bearer token. */
export const token: Text<string> = text(secretExpectation, parseToken)

/** Ranges of addresses. */
export const cidrs: ZodType<string[], string[]> = list(
  text(cidrExpectation, parseCidr),
  'must be a list of address ranges',
)
