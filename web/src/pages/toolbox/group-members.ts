import type { createGroup, Input, Tool } from '@agentopia/api'
import { fieldsOfConfig } from '../../schema/form-fields.ts'
import { type FormValues, initialValues, readValues } from '../../schema/form-values.ts'
import { freeName, nameFrom } from '../../words/names.ts'

/** A member of a group as it stands in the form. */
export interface DraftMember {
  /** Of the row on the screen. */
  readonly key: number
  readonly tool: Tool
  readonly name: string
  readonly values: FormValues
  readonly dependsOn: readonly string[]
}

type NewMembers = Input<typeof createGroup>['body']['members']

export const draftOf = (key: number, tool: Tool, taken: readonly string[]): DraftMember => ({
  key,
  tool,
  name: freeName(nameFrom(tool.id), taken),
  values: initialValues(fieldsOfConfig(tool.config)),
  dependsOn: [],
})

/** Changes one member; who depended on it still does when it is called otherwise. */
export function withChanged(drafts: readonly DraftMember[], changed: DraftMember): readonly DraftMember[] {
  const before = drafts.find(({ key }) => key === changed.key)?.name
  return drafts.map((draft) => {
    if (draft.key === changed.key) return changed
    return { ...draft, dependsOn: draft.dependsOn.map((name) => (name === before ? changed.name : name)) }
  })
}

export const without = (drafts: readonly DraftMember[], gone: DraftMember): readonly DraftMember[] =>
  drafts
    .filter(({ key }) => key !== gone.key)
    .map((draft) => ({ ...draft, dependsOn: draft.dependsOn.filter((name) => name !== gone.name) }))

/** What a member may come after: the other members, and the tools that are there, each by its name and once. */
export const othersOf = (draft: DraftMember, drafts: readonly DraftMember[], there: readonly string[]): string[] => {
  const members = drafts.filter(({ key }) => key !== draft.key).map(({ name }) => name)
  return [...new Set([...members, ...there])].filter((name) => name !== '')
}

/** What is sent; `undefined` while a setting that is needed is missing. */
export function membersOf(drafts: readonly DraftMember[]): NewMembers | undefined {
  const members: NewMembers = []
  for (const { tool, name, values, dependsOn } of drafts) {
    const filled = readValues(fieldsOfConfig(tool.config), values)
    if (!filled.ok) return undefined
    const config = filled.values as NewMembers[number]['config']
    members.push({ toolId: tool.id, name, config, dependsOn: [...dependsOn] })
  }
  return members
}
