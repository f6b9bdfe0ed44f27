import type { ConnectSnippet } from '@agentopia/api'
import { useState } from 'react'
import { CodeBlock } from './json-view.tsx'
import { TabPanel, Tabs } from './tabs.tsx'

/** Configurations to paste, one for each MCP client. */
export function ConnectTabs({ snippets }: { snippets: readonly ConnectSnippet[] }) {
  const [client, setClient] = useState(snippets[0]?.client ?? '')
  return (
    <Tabs
      label="Client"
      value={client}
      onChange={setClient}
      tabs={snippets.map((snippet) => ({ value: snippet.client, label: shortTitle(snippet.title) }))}
    >
      {snippets.map(({ client: value, title, text }) => (
        <TabPanel key={value} value={value} className="pt-3">
          {title !== shortTitle(title) && <p className="mb-2 text-ink-faint text-xs">{title}</p>}
          <CodeBlock text={text} what={`the configuration for ${title}`} />
        </TabPanel>
      ))}
    </Tabs>
  )
}

/** `Cursor (~/.cursor/mcp.json)` → `Cursor`. */
const shortTitle = (title: string): string => title.replace(/\s*[(,].*$/, '')
