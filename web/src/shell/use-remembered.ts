import { useState } from 'react'

/** A choice about how things look, kept by the browser. */
export function useRemembered(name: string, initial: string): readonly [string, (value: string) => void] {
  const key = `agentopia.${name}`
  const [value, setValue] = useState(() => {
    try {
      return localStorage.getItem(key) ?? initial
    } catch {
      return initial // storage is off
    }
  })
  const choose = (next: string) => {
    setValue(next)
    try {
      localStorage.setItem(key, next)
    } catch {
      // storage is off: it holds until the page is closed
    }
  }
  return [value, choose]
}
