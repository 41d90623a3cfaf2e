//! What the processor is and what it is good at.

use serde::Serialize;

#[derive(Serialize)]
pub struct Hardware {
    /// The processor's name, if the system tells it.
    pub cpu: Option<String>,
    /// The instruction sets that matter here, those that are there.
    pub features: Vec<&'static str>,
    /// Threads that this process may run at once, affinity and cgroup quota respected.
    pub threads: usize,
    /// Processors the system has, if it tells.
    pub processors: Option<usize>,
}

impl Hardware {
    pub fn look() -> Hardware {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let value = |name: &str| {
            let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_string())
        };
        let processors = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
        Hardware {
            cpu: value("model name").or_else(|| value("Hardware")),
            features: features(&value("flags").unwrap_or_default()),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            processors: (processors > 0).then_some(processors),
        }
    }

    /// `Some CPU (avx2, avx512); 2 threads of 8 processors`
    pub fn in_words(&self) -> String {
        let name = self.cpu.as_deref().unwrap_or(std::env::consts::ARCH);
        let features = if self.features.is_empty() { "no vector extensions" } else { &self.features.join(", ") };
        let threads = match self.processors {
            Some(processors) => format!("{} of {processors} processors may be used", self.threads),
            None => format!("{} processors may be used", self.threads),
        };
        format!("{name} ({features}); {threads}")
    }
}

/// AMX can only be asked of the system as yet: the compiler's own test for it is not stable.
fn features(flags: &str) -> Vec<&'static str> {
    let mut all = detected();
    let listed = |flag: &str| flags.split_whitespace().any(|name| name == flag);
    let amx = [("amx_int8", "amx-int8"), ("amx_bf16", "amx-bf16")];
    all.extend(amx.iter().filter(|(flag, _)| listed(flag)).map(|(_, name)| *name));
    all
}

#[cfg(target_arch = "x86_64")]
fn detected() -> Vec<&'static str> {
    let known = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512", std::arch::is_x86_feature_detected!("avx512f")),
        ("vnni", std::arch::is_x86_feature_detected!("avx512vnni")),
        ("vpopcnt", std::arch::is_x86_feature_detected!("avx512vpopcntdq")),
        ("bf16", std::arch::is_x86_feature_detected!("avx512bf16")),
    ];
    known.iter().filter(|(_, here)| *here).map(|(name, _)| *name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn detected() -> Vec<&'static str> {
    if cfg!(target_feature = "neon") { vec!["neon"] } else { Vec::new() }
}
