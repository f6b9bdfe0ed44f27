import type pg from 'pg'
import { ANNOUNCED } from './schema/index.ts'

/** The channel on which changed rows are announced. */
export const CHANGES = 'changes'

/** One changed row, as announced. A hint: what counts is what the row says when it is read. */
export interface Change {
  readonly noun: (typeof ANNOUNCED)[keyof typeof ANNOUNCED]
  readonly account: string
  readonly id: string
}

/** Columns that change all the time and that nobody waits for. */
const QUIET = [
  'last_heartbeat_at',
  'heartbeat_seq',
  'lease_owner',
  'lease_until',
  'lease_epoch',
  'last_used_at',
  'last_call_at',
  'observed_at',
  'held_until',
  'provisioning',
  'record',
]

/** A transaction that sets this to `on` changes none but those columns: its rows are not even looked at. */
export const QUIET_SETTING = 'agentopia.quiet'

/** Makes the announced tables speak. Repeatable. */
export async function applyNotifications(client: pg.ClientBase): Promise<void> {
  await client.query(`
    create or replace function agentopia_announce() returns trigger language plpgsql as $$
    declare
      quiet constant text[] := '{${QUIET.join(',')}}';
      line jsonb := to_jsonb(coalesce(new, old));
    begin
      if tg_op = 'UPDATE' and to_jsonb(new) - quiet = to_jsonb(old) - quiet then return null; end if;
      perform pg_notify('${CHANGES}', jsonb_build_object(
        'noun', tg_argv[0], 'account', line->>'account_id',
        'id', coalesce(line->>'id', line->>'toolbelt_item_id', line->>'agent_id'))::text);
      return null;
    end $$`)
  for (const [table, noun] of Object.entries(ANNOUNCED))
    await client.query(
      `create or replace trigger agentopia_changed after insert or update or delete on "${table}" for each row when (current_setting('${QUIET_SETTING}', true) is distinct from 'on') execute function agentopia_announce('${noun}')`,
    )
}
