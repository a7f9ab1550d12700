// The verbs that have a file of their own.

#ifndef WORKLOAD_H
#define WORKLOAD_H

/// Watches executions for at most `seconds`, or until SIGTERM, and reads at most every `tick_us` microseconds.
int bare(long seconds, long tick_us);

#endif
