/** One cart application on its own, as docker-compose.yml runs three of. */
import { CartApplication } from './cart-application.ts'

const { CART_NAME = 'a', CART_HOST = '127.0.0.1', CART_PORT = '3000' } = process.env
const application = new CartApplication(CART_NAME)
console.log(`application ${CART_NAME} at ${await application.listen(Number(CART_PORT), CART_HOST)}`)
process.once('SIGTERM', () => application[Symbol.asyncDispose]())
