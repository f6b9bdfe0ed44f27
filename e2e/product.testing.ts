/** The product as a process, for what measures it. */
export { containersOf, dtmaContainerOf, pidOf } from './docker.ts'
export { freePort, type Product, startProduct, waitFor } from './product.ts'
export { activeToolbox, deploy } from './settled.ts'
