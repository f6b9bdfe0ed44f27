import type pg from 'pg'
import { ACCOUNT_SETTING, APP_ROLE } from './connect.ts'

/** Records of what was done: an account reads them and adds to them, and nothing else. */
const KEPT = ['activities', 'tool_calls', 'call_chains'] as const
/** Of these, what only the recorder of calls adds to. */
const CHAINED = ['tool_calls', 'call_chains'] as const

/**
 * Puts every table with an `account_id` under row-level security and gives the application role just these tables.
 * Tables without one (users, sessions, sign-in links) stay closed to it. Repeatable; new tables are found by themselves.
 */
export async function applyRowSecurity(client: pg.ClientBase): Promise<void> {
  await client.query(`
    do $$
    declare
      t record;
      -- As PostgreSQL writes it down, so that it can be compared.
      ofTheAccount constant text := '(account_id = current_setting(''${ACCOUNT_SETTING}''::text, true))';
    begin
      if not exists (select from pg_roles where rolname = '${APP_ROLE}') then
        begin
          create role ${APP_ROLE} nologin;
        exception when duplicate_object or unique_violation then null; -- another database of this server, at the same moment
        end;
      end if;
      if not pg_has_role(current_user, '${APP_ROLE}', 'member') then
        execute format('grant ${APP_ROLE} to %I', current_user);
      end if;
      grant usage on schema public to ${APP_ROLE};
      for t in
        select c.table_name from information_schema.columns c join information_schema.tables b using (table_schema, table_name)
        where c.table_schema = 'public' and c.column_name = 'account_id' and b.table_type = 'BASE TABLE'
      loop
        -- What stands already is left alone: each of these waits for everybody who uses the table, and keeps everybody else waiting.
        if not exists (
          select from pg_policies p join pg_class c on c.oid = format('%I.%I', p.schemaname, p.tablename)::regclass
          where p.schemaname = 'public' and p.tablename = t.table_name and p.policyname = 'of_the_account' and c.relrowsecurity
            and p.roles = '{${APP_ROLE}}' and p.qual = ofTheAccount and p.with_check = ofTheAccount
        ) then
          execute format('alter table %I enable row level security', t.table_name);
          execute format('drop policy if exists of_the_account on %I', t.table_name);
          execute format('create policy of_the_account on %I to ${APP_ROLE} using %s with check %s', t.table_name, ofTheAccount, ofTheAccount);
        end if;
        execute format('grant select, insert, update, delete on %I to ${APP_ROLE}', t.table_name);
      end loop;
      revoke update, delete on ${KEPT.join(', ')} from ${APP_ROLE};
      revoke insert on ${CHAINED.join(', ')} from ${APP_ROLE};
    end $$`)
}
