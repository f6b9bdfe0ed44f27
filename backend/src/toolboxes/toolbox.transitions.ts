import type { ToolboxStatus } from '@agentopia/api'

/**
 * From which status a toolbox may come to which. Every write of a status goes through {@link sourcesOf}, so what is not
 * here does not happen. The database knows the same states: the check constraint of the table.
 */
export const TRANSITIONS = {
  pending_provision: ['provisioning', 'error_provisioning', 'pending_deprovision'],
  provisioning: ['awaiting_heartbeat', 'error_provisioning', 'pending_deprovision'],
  // A machine that is gone is none, whatever was waited for.
  awaiting_heartbeat: ['active', 'provisioning', 'error_provisioning', 'lost', 'quarantined', 'pending_deprovision'],
  // A machine with a fresh disk has to enrol anew.
  active: ['unresponsive', 'resizing', 'awaiting_heartbeat', 'lost', 'quarantined', 'pending_deprovision'],
  unresponsive: ['active', 'resizing', 'awaiting_heartbeat', 'lost', 'quarantined', 'pending_deprovision'],
  // A machine that we had given up on may still report.
  error_provisioning: ['provisioning', 'awaiting_heartbeat', 'active', 'lost', 'pending_deprovision'],
  // Somebody asks for another machine, or lets the toolbox go; and who says that a machine is gone may be wrong.
  lost: ['provisioning', 'active', 'error_provisioning', 'pending_deprovision'],
  resizing: ['active', 'unresponsive', 'pending_deprovision'],
  quarantined: ['awaiting_heartbeat', 'lost', 'pending_deprovision'],
  pending_deprovision: ['deprovisioning'],
  deprovisioning: ['deprovisioned', 'error_deprovisioning'],
  error_deprovisioning: ['deprovisioning'],
  deprovisioned: [],
} as const satisfies Record<ToolboxStatus, readonly ToolboxStatus[]>

export const mayBecome = (from: ToolboxStatus, to: ToolboxStatus): boolean =>
  (TRANSITIONS[from] as readonly ToolboxStatus[]).includes(to)

/** The states from which `to` may be reached, for the `where` of the statement that writes it. */
export const sourcesOf = (to: ToolboxStatus): ToolboxStatus[] =>
  (Object.keys(TRANSITIONS) as ToolboxStatus[]).filter((from) => mayBecome(from, to))
