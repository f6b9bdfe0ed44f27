import { getPayloadRules, type PayloadRule, putPayloadRule } from '@agentopia/api'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { count } from '../../words/quantity.ts'
import { Setting } from './setting.tsx'

const DAYS = [0, 1, 7, 30, 90, 365]

/** Whether what is sent and answered is kept. Of single tools the CLI decides. */
export function PayloadSetting() {
  const rules = useOperation(getPayloadRules, {})
  const put = useAction(putPayloadRule)
  const may = useMay('admin')
  const keep = (rule: PayloadRule, days: number) => put.mutate({ body: { ...rule, days } })
  return (
    <Reading of={rules} skeleton={<SkeletonRows rows={1} />}>
      {({ account, instances }) => (
        <>
          <Setting
            label="What is sent and answered is kept"
            disabled={!may || put.isPending}
            value={String(account.days)}
            onChange={(days) => keep(account, Number(days))}
            options={[...new Set([...DAYS, account.days])]
              .sort((a, b) => a - b)
              .map((days) => ({ value: String(days), label: days === 0 ? 'Not kept' : count(days, 'day', 'days') }))}
            note={
              <>
                What is sent with calls and answered, sealed, for operators to read. A shorter time forgets what is
                older at once.
                {account.redact.length > 0 && ` Without ${account.redact.join(', ')}.`}
                {instances.length > 0 && ` ${count(instances.length, 'tool has', 'tools have')} a rule of its own.`}
              </>
            }
          />
          {put.error && <ProblemNotice error={put.error} />}
        </>
      )}
    </Reading>
  )
}
