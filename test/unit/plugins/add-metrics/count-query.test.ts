import { describe, expect, it } from 'vitest'
import { countQuery } from '../../../../plugins/add-metrics/count-query.ts'

const series = 'sum by (function_name) (gateway_function_invocation_total'

describe('countQuery', () => {
  it('asks for the functions of one namespace, its dot taken literally', () => {
    expect(countQuery(['openfaas-fn'])).toBe(String.raw`${series}{function_name=~".*\\.openfaas-fn"})`)
  })

  it('covers every namespace once, and functions without one', () => {
    expect(countQuery(['a', 'b', 'a', ''])).toBe(String.raw`${series}{function_name=~".*\\.a|.*\\.b|[^.]+"})`)
  })

  it('lets no namespace end the expression or the string', () => {
    expect(countQuery(['a.b|c"}\\'])).toBe(String.raw`${series}{function_name=~".*\\.a\\.b\\|c\"\\}\\\\"})`)
  })

  it('asks for everything when the namespaces would make too long a URL', () => {
    expect(countQuery(Array.from({ length: 1_000 }, (_, i) => `namespace-${i}`))).toBe(`${series})`)
  })
})
