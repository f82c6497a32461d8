export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'
export { openStore, type StoreOptions } from './open-store.ts'
export type * from './store.ts'
export { StoreUnavailable } from './store.ts'
