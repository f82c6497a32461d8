/** The names that choose the pools of sticky.yaml. */
export const sites = { sticky: 'shop.example', astray: 'astray.example' } as const
