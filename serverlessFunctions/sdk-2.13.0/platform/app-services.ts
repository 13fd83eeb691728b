/** Servers before 2.35 have no queue and no store for apps: each run stands for itself. */
export const appServices = (): object => ({});
