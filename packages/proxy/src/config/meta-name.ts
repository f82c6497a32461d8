/** What the cookie that keeps a companion's attributes is called: gorouter's `__VCAP_ID__` has a `__VCAP_ID_META__`. */
export function metaName(companion: string): string {
  return companion.replace(/_*$/, (end) => `_META${end}`)
}
