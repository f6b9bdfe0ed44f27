import { expect, test } from 'vitest'
import { prometheusOf } from './prometheus.ts'
import { WELL } from './status.testing.ts'

test('every figure has its help, its type and a value that Prometheus can read', () => {
  const lines = prometheusOf(WELL).trimEnd().split('\n')
  const samples = lines.filter((line) => !line.startsWith('#'))
  for (const sample of samples) expect(sample).toMatch(/^dtma_[a-z_]+(\{[a-z]+="[^"\\\n]*"\})? -?\d+(\.\d+)?$/)
  const names = new Set(samples.map((sample) => sample.split(/[{ ]/, 1)[0]))
  for (const name of names) {
    expect(lines.filter((line) => line.startsWith(`# HELP ${name} `))).toHaveLength(1)
    expect(lines.filter((line) => line.startsWith(`# TYPE ${name} `))).toHaveLength(1)
  }
  expect(samples).toContain('dtma_tools{state="running"} 1')
  expect(samples).toContain('dtma_tool_restarts_total{tool="mail"} 2')
  expect(samples).toContain('dtma_isolation_ok 1')
})
