import { expect, test } from 'vitest'
import { casesIn, FAMILIES, faultCases, faultTables } from './fault-cases.ts'

test('cases are read from the titles of tests, however they are written', () => {
  const text = `
test('C05 D14: killed, it comes back', async () => {})
test("M09 a long text is cut", () => {})
test.each(rows)('C03: too late is refused: %s', () => {})
test('S12: it\\'s said', () => {})
test.each([1, [2]])('T01 in a list: %s', () => {})
test.each([1])(
  'T02 on a line of its own',
  () => {},
)
test.each([
  ['stopped', () => dtma.stop()],
  ['killed', () => dtma.kill()],
])('C06 after DTMA was %s, %s', () => {})
test.each(rows)('M06 what is $name', () => {})
test('an ordinary title, C05: no case', () => {})
`
  expect(casesIn(text, 'f').map(({ id, statement }) => `${id} ${statement}`)).toEqual([
    'C05 killed, it comes back',
    'D14 killed, it comes back',
    'M09 a long text is cut',
    'C03 too late is refused',
    "S12 it's said",
    'T01 in a list',
    'T02 on a line of its own',
    'C06 after DTMA was stopped / killed, …',
    'M06 what is …',
  ])
})

test('every case of the repository has a family, and is printed', () => {
  const cases = faultCases()
  const letters = FAMILIES.map(([letter]) => letter)
  expect(cases.length).toBeGreaterThan(30)
  expect(cases.filter(({ id }) => !letters.includes(id[0]!))).toEqual([])
  const printed = faultTables(cases)
  for (const { id } of cases) expect(printed).toContain(`| ${id} |`)
})
