import {
  BufferReply,
  checkInstance,
  GatewayError,
  identityAsCalled,
  isOutdated,
  jsonReply,
  readReport,
  reportsPath,
  type Clock,
  type InstanceReceipt,
  type InstanceRegistry,
  type InstanceReport,
  type InstanceRules,
  type Reply,
  type SystemRequest,
  type SystemRoute,
} from '#core'
import type { InstanceMetrics, ReportOutcome } from '../instance-metrics.ts'

/** What the route works with. */
export interface ReportRouteDeps {
  readonly registry: InstanceRegistry
  readonly rules: InstanceRules
  readonly clock: Clock
  readonly metrics: InstanceMetrics
  /** Shared with sidecars. */
  readonly key: string
  /** Whether the key was made up here, so that no sidecar of somebody else can know it. */
  readonly isKeyRandom: boolean
  /** Namespace of functions that are called without one. */
  readonly defaultNamespace: string
  readonly maxReportBytes: number
}

/** Takes signed reports of sidecars; the signature is all that whoever sends one needs. */
export function reportRoute(deps: ReportRouteDeps): SystemRoute {
  const handle = async (request: SystemRequest): Promise<Reply> => {
    try {
      const { ttlMs, acknowledged, silent } = await take(deps, request)
      deps.metrics.reported('accepted')
      return jsonReply(200, { ttlMs, acknowledged, silent })
    } catch (error) {
      deps.metrics.reported(outcomeOf(error))
      if (isOutdated(error)) return outdatedReply(GatewayError.from(error))
      throw error
    }
  }
  return { methods: ['POST'], path: reportsPath, handle }
}

async function take(deps: ReportRouteDeps, { request }: SystemRequest): Promise<InstanceReceipt> {
  const bytes = await request.body.bytes(deps.maxReportBytes)
  const report = asCalled(verified(deps, bytes.toString('utf8')), deps.defaultNamespace)
  checkInstance(report.record, deps.rules)
  return deps.registry.take(report)
}

function verified({ key, isKeyRandom, clock }: ReportRouteDeps, text: string): InstanceReport {
  try {
    return readReport(text, key, clock.nowMs())
  } catch (error) {
    if (!isKeyRandom || GatewayError.from(error).code !== 'unauthenticated') throw error
    const message = 'this gateway shares no key with sidecars: set PILOTLIGHT_INSTANCE_KEY_FILE for both'
    throw new GatewayError('overloaded', message, { retryAfterSeconds: 10, details: { keyless: true } })
  }
}

/** A function that is reported without a namespace is the one that is called without a namespace. */
function asCalled(report: InstanceReport, defaultNamespace: string): InstanceReport {
  if (report.record.namespace !== '') return report
  const { name, namespace } = identityAsCalled(report.record.name, defaultNamespace)
  return { ...report, record: { ...report.record, name, namespace } }
}

function outcomeOf(error: unknown): ReportOutcome {
  if (isOutdated(error)) return 'outdated'
  const { code, details } = GatewayError.from(error)
  if (code === 'unauthenticated' || details['keyless'] === true) return 'unsigned'
  if (code === 'forbidden') return 'foreign'
  return code === 'request_invalid' || code === 'body_too_large' ? 'invalid' : 'failed'
}

/** No condition of a caller's request is a 409; this one is the sidecar's to see. */
function outdatedReply({ code, message }: GatewayError): Reply {
  const problem = { type: 'about:blank', title: 'Report out of date', status: 409, detail: message, code }
  return new BufferReply(409, { 'Content-Type': 'application/problem+json' }, `${JSON.stringify(problem)}\n`)
}
