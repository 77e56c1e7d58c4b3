import { describe } from 'vitest'
import { describeAnswers } from './describe-answers.ts'
import { describeConnections } from './describe-connections.ts'
import { describeFailures } from './describe-failures.ts'
import { describeRequests } from './describe-requests.ts'
import { describeStreaming } from './describe-streaming.ts'
import { describeTimeouts, shortTimeouts } from './describe-timeouts.ts'
import { describeUpgrades } from './describe-upgrades.ts'
import { type Engine, useFunctionPath } from './function-path.ts'

/** Everything a call of a running function may rely on, whichever engine forwards it. */
export function describeFunctionPath(engine: Engine): void {
  describe(`function path over ${engine}`, () => {
    const path = useFunctionPath(engine)
    describeRequests(path)
    describeAnswers(path)
    describeStreaming(path)
    describeUpgrades(path)
    describeConnections(path)
    describeFailures(path)
  })
  describe(`time limits over ${engine}`, () => {
    describeTimeouts(useFunctionPath(engine, shortTimeouts))
  })
}
