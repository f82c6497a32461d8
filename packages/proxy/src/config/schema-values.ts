import type { Milliseconds } from '@sticky/store'
import * as z from 'zod'

import { addressExpectation, adminAddressExpectation, parseAddress, parseAdminAddress } from './address.ts'
import { cidrExpectation, parseCidr } from './cidr.ts'
import type { Address, AdminConfig } from './config.ts'
import { durationExpectation, durationPattern, parseAge, parseDuration } from './duration.ts'
import {
  domainExpectation,
  hostExpectation,
  parseDomain,
  parseHost,
  parseServerName,
  serverNameExpectation,
} from './host.ts'
import {
  cloneIdExpectation,
  cloneSeparatorsExpectation,
  cookieNameExpectation,
  fieldNameExpectation,
  fieldPatternExpectation,
  idExpectation,
  idPattern,
  methodExpectation,
  ownFieldNameExpectation,
  parameterNameExpectation,
  parseCloneId,
  parseCloneSeparators,
  parseCookieName,
  parseFieldName,
  parseFieldPattern,
  parseId,
  parseMethod,
  parseOwnCookieName,
  parseOwnFieldName,
  parseParameterName,
  tokenPattern,
} from './names.ts'
import {
  cookiePathExpectation,
  parseCookiePath,
  parseOwnPrefix,
  parsePath,
  parsePathPrefix,
  parsePemFile,
  parseScriptPath,
  pathExpectation,
  pathPrefixExpectation,
  pemFileExpectation,
  scriptPathExpectation,
} from './path.ts'
import { parsePattern, patternExpectation } from './pattern.ts'
import { list, text } from './schema-shapes.ts'
import { parseSecret, parseToken, secretExpectation } from './secret.ts'
import { parseSize, sizeExpectation, sizePattern } from './size.ts'
import { originExpectation, parseOrigin, parseStoreUrl, storeExpectation } from './url.ts'

type Text<T> = z.ZodType<T, string>

/** Something a timer waits for. */
export const duration: Text<Milliseconds> = text(durationExpectation, parseDuration, durationPattern)

/** How long something is kept. */
export const age: Text<Milliseconds> = text(durationExpectation, parseAge, durationPattern)

/** Bytes. */
export const size: Text<number> = text(sizeExpectation, parseSize, sizePattern)

/** Bytes, or 0 for none. */
export const sizeOrNone: z.ZodType<number, number | string> = z.union([z.literal(0), size], {
  error: 'must be 0 or a size such as 64Ki',
})

/** The name of header fields, or how their names begin; in lower case. */
export const fieldPattern: Text<string> = text(fieldPatternExpectation, parseFieldPattern, tokenPattern)

/** A header field that is a session's key. */
export const fieldName: Text<string> = text(fieldNameExpectation, parseFieldName, tokenPattern)

/** A header field that we write to backends. */
export const ownFieldName: Text<string> = text(ownFieldNameExpectation, parseOwnFieldName, tokenPattern)

/** A parameter of a query or path. */
export const parameterName: Text<string> = text(parameterNameExpectation, parseParameterName)

/** A request's method. */
export const method: Text<string> = text(methodExpectation, parseMethod)

/** Where to listen. */
export const address: Text<Address> = text(addressExpectation, parseAddress)

/** Where the admin API listens. */
export const adminAddress: Text<AdminConfig['address']> = text(adminAddressExpectation, parseAdminAddress)

/** The name of a pool, backend or node. */
export const id: Text<string> = text(idExpectation, parseId, idPattern)

/** An application's cookie. */
export const cookieName: Text<string> = text(cookieNameExpectation, parseCookieName, tokenPattern)

/** A server's id at the end of session ids. */
export const cloneId: Text<string> = text(cloneIdExpectation, parseCloneId)

/** What clone ids begin after. */
export const cloneSeparators: Text<string> = text(cloneSeparatorsExpectation, parseCloneSeparators)

/** Our own cookie. */
export const ownCookieName: Text<string> = text(cookieNameExpectation, parseOwnCookieName, tokenPattern)

/** A cookie's Path. */
export const cookiePath: Text<string> = text(cookiePathExpectation, parseCookiePath)

/** A cookie's Domain. */
export const cookieDomain: Text<string> = text(domainExpectation, parseDomain)

/** A script's file. */
export const scriptPath: Text<string> = text(scriptPathExpectation, parseScriptPath)

/** A file of certificates, or of a key. */
export const pemFile: Text<string> = text(pemFileExpectation, parsePemFile)

/** The name in a backend's certificate. */
export const serverName: Text<string> = text(serverNameExpectation, parseServerName)

/** A route's host. */
export const host: Text<string> = text(hostExpectation, parseHost)

/** A regular expression for request targets. */
export const pattern: Text<string> = text(patternExpectation, parsePattern)

/** A route's path. */
export const path: Text<string> = text(pathExpectation, parsePath)

/** What paths begin with. */
export const pathPrefix: Text<string> = text(pathPrefixExpectation, parsePathPrefix)

/** What the paths of one backend begin with. */
export const ownPrefix: Text<string> = text('must be a path of its own such as /GAS1', parseOwnPrefix)

/** A backend's URL. */
export const origin: Text<string> = text(originExpectation, parseOrigin)

/** The store's URL. */
export const storeUrl: Text<string> = text(storeExpectation, parseStoreUrl)

/** A sealing secret. */
export const secret: Text<string> = text(secretExpectation, parseSecret)

/** A bearer token. */
export const token: Text<string> = text(secretExpectation, parseToken)

/** Ranges of addresses. */
export const cidrs: z.ZodType<string[], string[]> = list(
  text(cidrExpectation, parseCidr),
  'must be a list of address ranges',
)
