import { listMembers } from '@agentopia/api'
import { includesRole, useMay } from '../../api/me.ts'
import { useOperation } from '../../api/use-operation.ts'

/** More names than these are not told apart any more. */
const MOST = 6

/** Who may answer: the people of the account with the role of an operator or above. */
export function WhoIsAsked() {
  const { data } = useOperation(listMembers, {})
  const may = useMay('operator')
  const people = (data?.items ?? [])
    .filter(({ role }) => includesRole(role, 'operator'))
    .map(({ name, email }) => name || email)
  if (people.length === 0) return null
  const named = people.slice(0, MOST).join(', ')
  const more = people.length > MOST ? ` and ${people.length - MOST} more` : ''
  return (
    <p className="text-ink-soft text-sm">
      Who is asked: {named}
      {more}.{!may && ' You may look; deciding takes the role operator.'}
    </p>
  )
}
