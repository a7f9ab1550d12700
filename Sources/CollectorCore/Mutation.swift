#if MUTANTS
    import Synchronization

    /// A bug that is compiled in on purpose, to show that an oracle catches it. Exists only with the trait `Mutants`.
    public enum Mutation: String, CaseIterable, Sendable {
        /// A full subscriber queue forgets to count what it drops.
        case uncountedDrop = "uncounted-drop"
        /// A signal that finds no waiter is forgotten.
        case lostWakeup = "lost-wakeup"
        /// A process is identified by its pid alone.
        case pidOnlyIdentity = "pid-only-identity"

        private static let active = Mutex<Mutation?>(nil)

        /// Plants this bug, and no other, for the rest of the process's life.
        public func activate() { Self.active.withLock { $0 = self } }

        package var isActive: Bool { Self.active.withLock { $0 == self } }
    }
#endif
