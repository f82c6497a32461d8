/** Tells where a redis-server is: the machine's own, else one that is installed as the tests do it. */
import { redisServer } from '../../test/support/redis-binary.ts'

const binary = redisServer()
if (binary !== undefined) process.stdout.write(`${binary}\n`)
else {
  process.stderr.write('failover: install redis-server first, version 7 or later\n')
  process.exitCode = 2
}
