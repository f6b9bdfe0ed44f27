import { defineCommand } from 'citty'
import { noun } from './command.ts'
import { activity } from './commands/activity.ts'
import { agentGrant, agentRevoke } from './commands/agent/access.ts'
import { agentCall } from './commands/agent/call.ts'
import { agentClients, agentDisconnect } from './commands/agent/clients.ts'
import { agentConnect } from './commands/agent/connect.ts'
import { agentCreate } from './commands/agent/create.ts'
import { agentFlow } from './commands/agent/flow.ts'
import { agentLimit } from './commands/agent/limit.ts'
import { agentList } from './commands/agent/list.ts'
import { agentRemove } from './commands/agent/remove.ts'
import { agentShow } from './commands/agent/show.ts'
import { agentDisable, agentEnable } from './commands/agent/switch.ts'
import { agentRevokeToken, agentTokens } from './commands/agent/tokens.ts'
import { approvalApprove, approvalDeny } from './commands/approval/decide.ts'
import { approvalList } from './commands/approval/list.ts'
import { approvalWatch } from './commands/approval/watch.ts'
import { callExport } from './commands/call/export.ts'
import { callList } from './commands/call/list.ts'
import { callForget, callPayloads } from './commands/call/payloads.ts'
import { callShow } from './commands/call/show.ts'
import { callDataFlow, callPatience, callResume, callRetention, callSecrets, callStop } from './commands/call/switch.ts'
import { callTail } from './commands/call/tail.ts'
import { callVerify } from './commands/call/verify.ts'
import { catalogList } from './commands/catalog/list.ts'
import { catalogAdd, catalogRemove } from './commands/catalog/manage.ts'
import { catalogShow } from './commands/catalog/show.ts'
import { connectionClient, connectionClients } from './commands/connection/client.ts'
import { connectionEnd, connectionOpen, connectionShow } from './commands/connection/connect.ts'
import { credentialList, credentialRevoke, credentialSet } from './commands/credential/manage.ts'
import { doctor } from './commands/doctor.ts'
import { groupCreate } from './commands/group/create.ts'
import { groupList, groupRemove, groupShow } from './commands/group/manage.ts'
import { imageList, imageRemove } from './commands/image/manage.ts'
import { imagePush } from './commands/image/push.ts'
import { login } from './commands/login.ts'
import { logout } from './commands/logout.ts'
import { memberInvitations, memberInvite, memberUninvite } from './commands/member/invitations.ts'
import { memberList, memberRemove, memberRole } from './commands/member/people.ts'
import { operatorConnect } from './commands/operator/connect.ts'
import { providerForget, providerOptions, providerSet, providerShow } from './commands/provider/digital-ocean.ts'
import { registryList, registryRemove, registrySet } from './commands/registry/manage.ts'
import { snapshotList, snapshotRemove } from './commands/snapshot/manage.ts'
import { tokenList } from './commands/token/list.ts'
import { tokenRevoke } from './commands/token/revoke.ts'
import { toolCapabilities } from './commands/tool/capabilities.ts'
import { toolDeploy } from './commands/tool/deploy.ts'
import { toolFlow } from './commands/tool/flow.ts'
import { toolRestart, toolStart, toolStop } from './commands/tool/lifecycle.ts'
import { toolList } from './commands/tool/list.ts'
import { toolLogs } from './commands/tool/logs.ts'
import { toolRemove } from './commands/tool/remove.ts'
import { toolShow } from './commands/tool/show.ts'
import { toolbeltAsk } from './commands/toolbelt/ask.ts'
import { toolbeltAdd, toolbeltAllow, toolbeltDeny, toolbeltRemove } from './commands/toolbelt/change.ts'
import { toolbeltList } from './commands/toolbelt/list.ts'
import { toolbeltApprove, toolbeltReview } from './commands/toolbelt/review.ts'
import { toolbeltSet } from './commands/toolbelt/switches.ts'
import { toolboxCreate } from './commands/toolbox/create.ts'
import {
  toolboxActions,
  toolboxPowerCycle,
  toolboxPowerOff,
  toolboxPowerOn,
  toolboxReboot,
  toolboxRebuild,
  toolboxReleaseAddress,
  toolboxReserveAddress,
  toolboxResize,
  toolboxSnapshot,
} from './commands/toolbox/droplet.ts'
import { toolboxJoin } from './commands/toolbox/join.ts'
import { toolboxList } from './commands/toolbox/list.ts'
import { toolboxRedeploy } from './commands/toolbox/redeploy.ts'
import { toolboxRefresh } from './commands/toolbox/refresh.ts'
import { toolboxRemove, toolboxRetry } from './commands/toolbox/remove.ts'
import { toolboxRoad } from './commands/toolbox/road.ts'
import { toolboxRollout } from './commands/toolbox/rollout.ts'
import { toolboxRotateKeys } from './commands/toolbox/rotate-keys.ts'
import { toolboxShow } from './commands/toolbox/show.ts'
import { toolboxHostKey, toolboxPush, toolboxSshKey } from './commands/toolbox/ssh.ts'
import { toolboxUpdate } from './commands/toolbox/update.ts'
import { whoami } from './commands/whoami.ts'

/** The command tree: a noun, then a verb. */
export const agentopia = defineCommand({
  meta: { name: 'agentopia', version: '0.1.0', description: 'Toolboxes, tools and agents from the command line' },
  subCommands: {
    login,
    logout,
    whoami,
    doctor,
    toolbox: noun('toolbox', 'Machines that run tools', {
      list: toolboxList,
      create: toolboxCreate,
      join: toolboxJoin,
      retry: toolboxRetry,
      'rotate-keys': toolboxRotateKeys,
      road: toolboxRoad,
      remove: toolboxRemove,
      show: toolboxShow,
      refresh: toolboxRefresh,
      update: toolboxUpdate,
      redeploy: toolboxRedeploy,
      rollout: toolboxRollout,
      'host-key': toolboxHostKey,
      'ssh-key': toolboxSshKey,
      push: toolboxPush,
      reboot: toolboxReboot,
      'power-cycle': toolboxPowerCycle,
      'power-off': toolboxPowerOff,
      'power-on': toolboxPowerOn,
      resize: toolboxResize,
      rebuild: toolboxRebuild,
      snapshot: toolboxSnapshot,
      'reserve-address': toolboxReserveAddress,
      'release-address': toolboxReleaseAddress,
      actions: toolboxActions,
    }),
    snapshot: noun('snapshot', 'Copies of the disks of droplets', { list: snapshotList, remove: snapshotRemove }),
    provider: noun('provider', 'DigitalOcean, where droplets come from', {
      show: providerShow,
      set: providerSet,
      options: providerOptions,
      forget: providerForget,
    }),
    catalog: noun('catalog', 'Tools that can be deployed', {
      list: catalogList,
      show: catalogShow,
      add: catalogAdd,
      remove: catalogRemove,
    }),
    image: noun('image', 'Images that the control plane gives to toolboxes', {
      list: imageList,
      push: imagePush,
      remove: imageRemove,
    }),
    registry: noun('registry', 'Registries that images are pulled from', {
      list: registryList,
      set: registrySet,
      remove: registryRemove,
    }),
    tool: noun('tool', 'Deployed tools', {
      list: toolList,
      deploy: toolDeploy,
      show: toolShow,
      start: toolStart,
      stop: toolStop,
      restart: toolRestart,
      remove: toolRemove,
      logs: toolLogs,
      capabilities: toolCapabilities,
      flow: toolFlow,
    }),
    group: noun('group', 'Tools that are deployed together', {
      list: groupList,
      create: groupCreate,
      show: groupShow,
      remove: groupRemove,
    }),
    agent: noun('agent', 'AIs that call tools', {
      list: agentList,
      create: agentCreate,
      show: agentShow,
      enable: agentEnable,
      disable: agentDisable,
      limit: agentLimit,
      grant: agentGrant,
      revoke: agentRevoke,
      connect: agentConnect,
      tokens: agentTokens,
      'revoke-token': agentRevokeToken,
      clients: agentClients,
      disconnect: agentDisconnect,
      call: agentCall,
      flow: agentFlow,
      remove: agentRemove,
    }),
    toolbelt: noun('toolbelt', 'What an agent may use', {
      list: toolbeltList,
      add: toolbeltAdd,
      allow: toolbeltAllow,
      ask: toolbeltAsk,
      deny: toolbeltDeny,
      set: toolbeltSet,
      review: toolbeltReview,
      approve: toolbeltApprove,
      remove: toolbeltRemove,
    }),
    credential: noun('credential', 'Secrets of an agent for a tool', {
      list: credentialList,
      set: credentialSet,
      revoke: credentialRevoke,
    }),
    connection: noun('connection', 'Tools of agents, connected to the services behind them', {
      open: connectionOpen,
      show: connectionShow,
      end: connectionEnd,
      clients: connectionClients,
      client: connectionClient,
    }),
    call: noun('call', 'Calls on record', {
      list: callList,
      tail: callTail,
      export: callExport,
      verify: callVerify,
      stop: callStop,
      resume: callResume,
      retention: callRetention,
      patience: callPatience,
      show: callShow,
      secrets: callSecrets,
      'data-flow': callDataFlow,
      payloads: callPayloads,
      forget: callForget,
    }),
    approval: noun('approval', 'Calls that wait for a person', {
      list: approvalList,
      watch: approvalWatch,
      approve: approvalApprove,
      deny: approvalDeny,
    }),
    member: noun('member', 'People of the account', {
      list: memberList,
      role: memberRole,
      remove: memberRemove,
      invite: memberInvite,
      invitations: memberInvitations,
      uninvite: memberUninvite,
    }),
    token: noun('token', 'Own API tokens', { list: tokenList, revoke: tokenRevoke }),
    operator: noun('operator', 'Models that run the control plane by MCP', { connect: operatorConnect }),
    activity,
  },
})
