import { type DropletOptions, listProviderOptions } from '@agentopia/api'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { readingOf } from '../../api/use-operation.ts'
import { CreateDroplet } from './create-droplet.tsx'

const sizeOf = (slug: string, monthlyUsd: number) => ({
  slug,
  memoryMb: 1_024,
  vcpus: 1,
  diskGb: 25,
  monthlyUsd,
  regions: ['fra1'],
})

const OPTIONS: DropletOptions = { regions: [], sizes: [sizeOf('small', 6), sizeOf('large', 12)], images: [] }

/** What the button says once that size is chosen. */
function wordsOf(size: string | undefined): string {
  const client = new QueryClient()
  client.setQueryData(readingOf(listProviderOptions, {}).queryKey, OPTIONS)
  const button = createElement(CreateDroplet, { size, pending: false, disabled: false })
  return renderToStaticMarkup(createElement(QueryClientProvider, { client }, button)).replace(/<[^>]*>/g, '')
}

test('the button that creates a droplet names the monthly price of the size that was chosen', () => {
  expect(wordsOf('small')).toBe('Create for $6 a month')
  expect(wordsOf('large')).toBe('Create for $12 a month')
})

test('while no size is chosen, or its price is not known, the button names none', () => {
  expect(wordsOf(undefined)).toBe('Create')
  expect(wordsOf('gone')).toBe('Create')
})
