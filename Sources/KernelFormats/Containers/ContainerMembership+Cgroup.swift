package import EventModel

extension ContainerMembership {
    /// What all control groups of a process say together; `nil` without any line.
    ///
    /// A container may show in one hierarchy alone: on hybrid hosts the unified path of Docker's containers is that of
    /// `containerd.service`. So the first hierarchy that names a container decides, then the first that looks like one,
    /// then the one of ``CgroupFile/reportedPath``.
    package init?(_ file: CgroupFile) {
        var doubtful: ContainerMembership?
        for membership in file.memberships where membership.path.count > 1 {
            let place = ContainerMembership(cgroup: membership.path)
            switch place.kind {
            case .container:
                self = place
                return
            case .unrecognized: doubtful = doubtful ?? place
            case .host: break
            }
        }
        guard let path = file.reportedPath else { return nil }
        self = doubtful ?? ContainerMembership(cgroup: path)
    }

    /// What one path of a control group says; total: every path is a place of some kind.
    ///
    /// The innermost container counts, and no unit within a container. Names are those that runtimes give: scopes of the
    /// systemd drivers (`docker-ID.scope`, `cri-containerd-ID.scope`, `nerdctl-ID.scope`, `crio-ID.scope`,
    /// `libpod-ID.scope`), folders of the cgroupfs drivers (`docker/ID`, `crio-ID`, `libpod-ID`), Kubernetes with either
    /// driver (`podUID/ID`, `...-podUID.slice`), `slice:cri-containerd:ID` of a runtime that has another driver than the
    /// kubelet, `lxc/NAME`, `lxc.payload.NAME`, `systemd-nspawn@NAME.service`, `machine-NAME.scope`, Fargate's
    /// `ecs/TASK/ID`, and 64 hexadecimal digits by themselves. The monitors of containers (`conmon`, `lxc.monitor`, the
    /// supervisor of nspawn) are on the host.
    package init(cgroup path: [UInt8]) {
        var reader = CgroupPathReader()
        let deleted = Array(" (deleted)".utf8)
        let end = path.count - (path.suffix(deleted.count) == deleted[...] ? deleted.count : 0)
        var position = 0
        while position < end {
            let slash = path[position..<end].firstIndex(of: Ascii.slash) ?? end
            if slash > position { reader.take(path[position..<slash]) }
            position = slash + 1
        }
        self = reader.membership
    }
}
