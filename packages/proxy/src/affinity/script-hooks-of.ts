/** Which hooks a script has. */
export interface ScriptHooks {
  readonly request: boolean
  readonly response: boolean
}

/** Which hooks a module exports; throws when it has none that could be one. */
export function hooksOf(module: { readonly request?: unknown; readonly response?: unknown }): ScriptHooks {
  for (const name of ['request', 'response'] as const) {
    const hook = module[name]
    if (hook !== undefined && typeof hook !== 'function')
      throw new TypeError(`what it exports as ${name} is no function`)
  }
  const hooks = { request: module.request !== undefined, response: module.response !== undefined }
  if (!hooks.request && !hooks.response)
    throw new TypeError('it exports neither request nor response, so it has no hook')
  return hooks
}
