import { argumentRows } from '../schema/argument-rows.ts'
import { cn } from './cn.ts'

/** The arguments of a capability, for people. */
export function ArgumentTable({ schema }: { schema: Readonly<Record<string, unknown>> }) {
  const rows = argumentRows(schema)
  if (rows.length === 0) return <p className="text-ink-faint text-xs">It takes no arguments.</p>
  return (
    <div className="overflow-x-auto rounded-md border border-line">
      <table className="w-full text-left text-xs">
        <thead className="sr-only">
          <tr>
            <th scope="col">Argument</th>
            <th scope="col">Type</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map(({ path, depth, type, required, description, notes }) => (
            <tr key={path} className="align-top">
              <td className="whitespace-nowrap py-2 pr-3" style={{ paddingLeft: `${0.75 + depth}rem` }}>
                <code className={cn('text-ink', required && 'font-semibold')}>{path}</code>
                {required && <span className="ml-1.5 text-ink-faint">needed</span>}
              </td>
              <td className="whitespace-nowrap py-2 pr-3 font-mono text-2xs text-accent leading-4.5">{type}</td>
              <td className="wrap-anywhere w-full min-w-52 py-2 pr-3 text-ink-soft">
                {description}
                {notes.length > 0 && (
                  <span className={cn('font-mono text-2xs text-ink-faint', description && 'ml-2')}>
                    {notes.join(', ')}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
