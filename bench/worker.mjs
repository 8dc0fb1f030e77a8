// One workload of one client, in a process of its own, so that its CPU and memory are the client's alone. Forked by `measured`.
import { workloads } from './workloads.mjs';

process.once('message', async ({ client, workload, job }) => {
  const { open, takesObjects = false } = await import(`./clients/${client}.mjs`);
  const opened = await open(job);
  const result = await workloads[workload](opened, { ...job, takesObjects });
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  process.send({ ...result, peakMiB }, () => process.exit(0));
});
