import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import type { Guards } from '../guards.ts'
import { findAllJobs, Job } from './job.ts'

const schema = {
  operationId: 'listJobs',
  tags: ['System'],
  summary: 'List recurring jobs',
  description:
    'Lists the recurring jobs with their last run and the next one. Each time of a schedule runs once across all processes, and of each job only the newest run is stored.',
  response: {
    200: Type.Array(Job, { description: 'Every recurring job.' }),
  },
}

export function listJobsRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/jobs', { schema, ...guards.admin }, () => findAllJobs(ctx))
}
