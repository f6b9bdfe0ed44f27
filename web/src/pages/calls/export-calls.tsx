import { type CallFilter, exportCalls } from '@agentopia/api'
import { Download } from 'lucide-react'
import { Button } from '../../parts/button.tsx'
import { Menu, MenuItem } from '../../parts/menu.tsx'

/** What fits the filters, as a file that the browser writes as it comes. */
export const ExportCalls = ({ filter }: { filter: CallFilter }) => (
  <Menu
    trigger={
      <Button>
        <Download />
        Export
      </Button>
    }
  >
    <MenuItem onSelect={() => window.location.assign(addressOf(filter, 'csv'))}>As a table (CSV)</MenuItem>
    <MenuItem onSelect={() => window.location.assign(addressOf(filter, 'ndjson'))}>As JSON lines</MenuItem>
  </Menu>
)

function addressOf(filter: CallFilter, format: 'csv' | 'ndjson'): string {
  const given = Object.entries({ ...filter, format }).filter(([, value]) => value !== undefined)
  return `${exportCalls.path}?${new URLSearchParams(given as [string, string][])}`
}
