/// Starts a task that may outlive its scope: the one place that does, so that the simulator sees every task.
///
/// `executor` carries the task and its children; there is no default, because a task on the global pool would escape
/// the simulated schedule.
package func spawn(
    on executor: any TaskExecutor, _ operation: sending @escaping @isolated(any) () async -> Void
) -> Task<Void, Never> {
    Task(executorPreference: executor, operation: operation)
}
