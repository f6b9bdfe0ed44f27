import { expect, test } from 'vitest'
import { confinementOf } from './confinement.ts'

test.each([
  [['name=seccomp,profile=default'], 'default', 'none'],
  [['name=apparmor', 'name=seccomp,profile=builtin', 'name=cgroupns'], 'default', 'apparmor'],
  [['name=seccomp'], 'default', 'none'],
  [['name=selinux', 'name=seccomp,profile=/etc/docker/seccomp.json'], 'other', 'selinux'],
  [['name=apparmor', 'name=seccomp,profile=unconfined'], 'none', 'apparmor'],
  [['name=apparmor', 'name=userns'], 'none', 'apparmor'],
  [[], 'none', 'none'],
])('an engine that says %j filters system calls: %s, and has the module: %s', (options, seccomp, module) => {
  expect(confinementOf(options)).toEqual({ seccomp, module })
})
