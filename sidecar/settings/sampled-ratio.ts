import type { SettingTexts } from './setting-texts.ts'

/**
 * Reads which share of new trace contexts says `sampled`: as much as the function's own SDK, which is told by the same variables, would
 * sample if it began the trace. Undefined when there shall be none.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function sampledRatio(texts: SettingTexts): number | undefined {
  if (texts.flag('OTEL_SDK_DISABLED', false)) return undefined
  const sampler = texts.text('OTEL_TRACES_SAMPLER').replace(/^parentbased_/, '')
  if (sampler === 'always_off') return 0
  if (sampler !== 'traceidratio') return 1
  const text = texts.text('OTEL_TRACES_SAMPLER_ARG')
  const ratio = text === '' ? 1 : Number(text)
  if (ratio >= 0 && ratio <= 1) return ratio
  texts.fault('OTEL_TRACES_SAMPLER_ARG', `expected a number from 0 to 1, got ${JSON.stringify(text)}`)
  return 1
}
