import { expect, test } from 'vitest'
import { IMAGES } from './catalogue.ts'
import { PLAYED_BY } from './docker-machines.ts'

test('an image that another system plays says so, wherever it is offered', () => {
  const played = IMAGES.filter(({ distribution }) => distribution !== 'Debian')
  expect(played.map(({ slug }) => slug)).toEqual(['ubuntu-24-04-x64', 'docker-20-04'])
  for (const { slug, name, description } of played) {
    expect(PLAYED_BY[slug]).toMatch(/debian|docker/)
    expect([name, description]).toEqual([expect.stringMatching(/played by Debian 12$/), expect.stringContaining(name)])
  }
  expect(Object.keys(PLAYED_BY).toSorted()).toEqual(IMAGES.map(({ slug }) => slug).toSorted())
})
