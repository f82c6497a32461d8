/** The names that choose a pool: sessions known by our sealed cookie, and by a key that the application set. */
export const sites = { sealed: 'shop.example', learned: 'learned.example' } as const
