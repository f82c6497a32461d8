import type { Source } from '../source.ts'
import { type Conversion, convert } from './convert.ts'
import type { Warning } from './warnings.ts'
import { XmlFault } from './xml.ts'

/** A plugin-cfg.xml as a configuration's source, and what was converted with a warning. Never throws. */
export function readPluginCfg(text: string, routeMatch?: string): { source: Source; warnings: readonly Warning[] } {
  const conversion = convert(text, routeMatch)
  if (conversion instanceof XmlFault) return { source: faulty(conversion), warnings: [] }
  return { source: sourceOf(conversion), warnings: conversion.warnings }
}

function faulty(fault: XmlFault): Source {
  return {
    data: undefined,
    written: undefined,
    syntax: [{ path: [], ...fault }],
    unresolved: [],
    place: () => fault.place,
    isReferenced: () => false,
  }
}

function sourceOf({ contents, origins }: Conversion): Source {
  return {
    data: contents,
    written: contents,
    syntax: [],
    unresolved: [],
    place: (path) => {
      let place = { line: 1, column: 1 }
      let value: unknown = contents
      for (const step of path) {
        value = (value as Record<string | number, unknown> | undefined)?.[step]
        place = origins.get(value as object) ?? place
      }
      return place
    },
    isReferenced: () => false,
  }
}
