import { FlowPolicy, getCallSettings, SecretPolicy, switchCalls, updateCallSettings } from '@agentopia/api'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { Switch } from '../../parts/switch.tsx'
import { spanOf } from '../../words/relative-time.ts'
import { PayloadSetting } from './payload-setting.tsx'
import { Setting } from './setting.tsx'

const SECRETS = [
  { value: 'redact', label: 'Taken out' },
  { value: 'block', label: 'Call refused' },
  { value: 'off', label: 'Let through' },
]
const FLOWS = [
  { value: 'warn', label: 'Warned of' },
  { value: 'block', label: 'Refused' },
]
const FOREVER = 'forever'
const DAYS = [30, 90, 180, 365, 730]
const WAITS = [30, 60, 120, 300, 900, 1_800, 3_600]

/** The kill switch of the account, how long a call waits for a person, and how long records of calls are kept. */
export function CallSettingsCard() {
  const settings = useOperation(getCallSettings, {})
  const turn = useAction(switchCalls)
  const keep = useAction(updateCallSettings)
  const maySwitch = useMay('operator')
  const mayKeep = useMay('admin')
  const error = turn.error ?? keep.error
  return (
    <Card>
      <CardHeader title="Calls" note="Of all agents of this account" />
      <Reading of={settings} skeleton={<SkeletonRows rows={2} className="p-4" />}>
        {({ enabled, retentionDays, approvalSeconds, secrets, dataFlow }) => (
          <div className="flex flex-col gap-4 p-4 text-sm">
            <label htmlFor="calls-enabled" className="flex items-center gap-3">
              <Switch
                id="calls-enabled"
                aria-label="Kill switch of the account"
                checked={enabled}
                pending={turn.isPending}
                disabled={!maySwitch}
                onCheckedChange={(next) => turn.mutate({ body: { enabled: next } })}
              />
              {enabled
                ? 'Agents may call. Switched off, every call under way ends and every new one is refused, within seconds.'
                : 'Every call of every agent is refused.'}
            </label>
            <Setting
              label="Records of calls are kept"
              disabled={!mayKeep || keep.isPending}
              value={retentionDays === null ? FOREVER : String(retentionDays)}
              onChange={(value) => keep.mutate({ body: { retentionDays: value === FOREVER ? null : Number(value) } })}
              options={[
                { value: FOREVER, label: 'Forever' },
                ...[...new Set([...DAYS, ...(retentionDays === null ? [] : [retentionDays])])]
                  .sort((a, b) => a - b)
                  .map((days) => ({ value: String(days), label: `${days} days` })),
              ]}
              note="Records of calls are kept so long, and then removed for good."
            />
            <Setting
              label="A call waits for a person"
              disabled={!mayKeep || keep.isPending}
              value={String(approvalSeconds)}
              onChange={(value) => keep.mutate({ body: { approvalSeconds: Number(value) } })}
              options={[...new Set([...WAITS, approvalSeconds])]
                .sort((a, b) => a - b)
                .map((seconds) => ({ value: String(seconds), label: spanOf(seconds * 1_000) }))}
              note="A call that a person is asked about waits so long for the answer."
            />
            <Setting
              label="What looks like a secret in calls"
              disabled={!mayKeep || keep.isPending}
              value={secrets}
              onChange={(next) => keep.mutate({ body: { secrets: SecretPolicy.parse(next) } })}
              options={SECRETS}
              note="What looks like a key or a token in arguments and answers. The agents’ own secrets are taken out always."
            />
            <Setting
              label="Agents that could give private data away"
              disabled={!mayKeep || keep.isPending}
              value={dataFlow}
              onChange={(next) => keep.mutate({ body: { dataFlow: FlowPolicy.parse(next) } })}
              options={FLOWS}
              note="Agents that read private data, see what strangers wrote and can send outwards, all at once."
            />
            <PayloadSetting />
            {error && <ProblemNotice error={error} />}
          </div>
        )}
      </Reading>
    </Card>
  )
}
