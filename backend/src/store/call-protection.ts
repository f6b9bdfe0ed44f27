import type pg from 'pg'

/** The setting that the rule for old records sets for its own transaction. */
export const FORGETTING = 'agentopia.forgetting'

/**
 * A record of a call is never changed, by no role; it is removed only by the rule for old records. This is against mistakes of
 * ours: a superuser can take the trigger away, and is then found out by the chain. Repeatable.
 */
export async function applyCallProtection(client: pg.ClientBase): Promise<void> {
  await client.query(`
    create or replace function agentopia_keep_call() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' and current_setting('${FORGETTING}', true) = 'on' then return old; end if;
      raise exception 'records of calls are neither changed nor removed' using errcode = '42501';
    end $$;
    create or replace trigger agentopia_keep before update or delete on tool_calls
      for each row execute function agentopia_keep_call();
    create or replace trigger agentopia_keep_all before truncate on tool_calls
      for each statement execute function agentopia_keep_call();`)
}
