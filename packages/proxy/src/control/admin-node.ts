import type { Config } from '../config/config.ts'
import { ConfigErrors } from '../config/config-errors.ts'
import { type AdminApi, AdminProblem, apiVersion, type ProblemCode } from './admin-api.ts'
import type { ConfigChanges } from './config-changes.ts'
import { StartFailure } from './start-failure.ts'

/** The node that the operations on this node mean. */
export interface OperatedNode {
  reload(): Promise<ConfigChanges>
  restartWorkers(): Promise<void>
}

/** The part of the admin API about the node that answers. */
export function nodeOperations(config: Config, node: OperatedNode): Pick<AdminApi, 'reload' | 'restartWorkers'> {
  const { id, workers } = config.node
  return {
    async reload() {
      const changes = await refusedAs('configuration-refused', node.reload())
      return { apiVersion, node: id, ...changes }
    },

    async restartWorkers(query) {
      if (query.node !== undefined && query.node !== id)
        throw new AdminProblem('other-node', `this is node ${id}: ask ${query.node} at its own admin address`)
      await refusedAs('restart-refused', node.restartWorkers())
      return { apiVersion, node: id, workers }
    },
  }
}

/** What a node refuses for good reasons, as the API tells it. */
async function refusedAs<Answer>(code: ProblemCode, work: Promise<Answer>): Promise<Answer> {
  try {
    return await work
  } catch (cause) {
    if (cause instanceof ConfigErrors || cause instanceof StartFailure)
      throw new AdminProblem(code, cause.message, { cause })
    throw cause
  }
}
