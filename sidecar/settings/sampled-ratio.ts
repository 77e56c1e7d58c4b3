import type { SettingTexts } from './setting-texts.ts'

/**
 * Reads which share of new trace contexts says `sampled`: as much as the function's own SDK, which is told by the same variables, would
 * sample if it began the trace. Undefined when there shall be none. What cannot be read is a notice and counts as not set, as it does for
 * an SDK.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function sampledRatio(texts: SettingTexts): number | undefined {
  if (isDisabled(texts)) return undefined
  const sampler = texts.text('OTEL_TRACES_SAMPLER').replace(/^parentbased_/, '')
  if (sampler === 'always_off') return 0
  if (sampler !== 'traceidratio') return 1
  const text = texts.text('OTEL_TRACES_SAMPLER_ARG')
  const ratio = text === '' ? 1 : Number(text)
  if (ratio >= 0 && ratio <= 1) return ratio
  texts.notice('OTEL_TRACES_SAMPLER_ARG', `expected a number from 0 to 1, got ${JSON.stringify(text)}; 1 is used`)
  return 1
}

/** Of OpenTelemetry's flags, nothing but "true" is true, in whichever case. */
function isDisabled(texts: SettingTexts): boolean {
  const name = 'OTEL_SDK_DISABLED'
  const text = texts.text(name)
  if (text !== '' && !/^(?:true|false)$/i.test(text)) {
    texts.notice(name, `expected "true" or "false", got ${JSON.stringify(text)}; "false" is used`)
  }
  return /^true$/i.test(text)
}
