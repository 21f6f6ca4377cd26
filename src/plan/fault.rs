//! What keeps a plan from being carried out step by step.

use std::collections::HashSet;

use super::answer::Plan;
use super::step::Step;

/// Something that is wrong with the steps of a plan, in words for who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {defect}")]
pub struct Fault {
    /// The line of the plan, from 1.
    pub line: usize,
    /// What is wrong there.
    pub defect: Defect,
}

/// What may be wrong with the steps of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// It has none.
    #[error(
        "the plan lists no steps; begin each with a heading such as `### Step 1: what it does`"
    )]
    NoSteps,
    /// Two have one number.
    #[error("step {number} is there already, in line {first}; give each step a number of its own")]
    Twice {
        /// The number.
        number: usize,
        /// The line of the first.
        first: usize,
    },
    /// One needs another that is not there.
    #[error(
        "step {number} depends on step {on}, which is not there; name a step of this plan, or none"
    )]
    Unknown {
        /// The step.
        number: usize,
        /// What it needs.
        on: usize,
    },
    /// Some need each other, or one needs itself.
    #[error("steps depend on each other in a circle: {}; take one of these dependencies away", circle(.0))]
    Circle(Vec<usize>),
    /// One says neither what it touches nor what shows it.
    #[error(
        "step {0} names no file and no check; list its files under `Files:`, or a command after `Check:`"
    )]
    Bare(usize),
}

fn circle(numbers: &[usize]) -> String {
    let first = numbers.first();
    let all: Vec<String> = numbers.iter().chain(first).map(usize::to_string).collect();
    all.join(" needs ")
}

/// Returns what keeps `plan` from being carried out step by step, in the order of its lines.
pub fn faults(plan: &Plan) -> Vec<Fault> {
    if plan.steps.is_empty() {
        return vec![Fault {
            line: 1,
            defect: Defect::NoSteps,
        }];
    }
    let mut faults = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let defects = own_defects(step, &plan.steps[..at], &plan.steps);
        faults.extend(defects.into_iter().map(|defect| Fault {
            line: *step.lines.start(),
            defect,
        }));
    }
    faults.extend(circles(&plan.steps));
    faults.sort_by_key(|fault| fault.line);
    faults
}

fn own_defects(step: &Step, before: &[Step], all: &[Step]) -> Vec<Defect> {
    let number = step.number;
    let mut defects = Vec::new();
    if let Some(first) = before.iter().find(|other| other.number == number) {
        defects.push(Defect::Twice {
            number,
            first: *first.lines.start(),
        });
    }
    for &on in &step.depends {
        if !all.iter().any(|other| other.number == on) {
            defects.push(Defect::Unknown { number, on });
        }
    }
    if step.files.is_empty() && step.check.is_none() {
        defects.push(Defect::Bare(number));
    }
    defects
}

/// Returns a fault for each circle of steps that need each other.
fn circles(steps: &[Step]) -> Vec<Fault> {
    let needs = |number: usize| {
        let step = steps.iter().find(|step| step.number == number);
        step.map_or(&[][..], |step| &step.depends)
    };
    let mut faults = Vec::new();
    let mut left: Vec<&Step> = steps.iter().collect();
    while !left.is_empty() {
        let numbers: HashSet<usize> = left.iter().map(|step| step.number).collect();
        let waits = |on: &usize| numbers.contains(on);
        let (waiting, ready): (Vec<&Step>, Vec<&Step>) =
            left.iter().partition(|step| step.depends.iter().any(waits));
        if !ready.is_empty() {
            left = waiting;
            continue;
        }
        // Each waits for another: whoever follows them comes back to where they were.
        let mut seen: Vec<usize> = Vec::new();
        let mut number = left[0].number;
        while !seen.contains(&number) {
            seen.push(number);
            let next = needs(number).iter().find(|on| waits(on));
            number = next.copied().unwrap_or(number);
        }
        let start = seen.iter().position(|&known| known == number).unwrap_or(0);
        let circle = seen.split_off(start);
        let line = left.iter().find(|step| step.number == number);
        faults.push(Fault {
            line: line.map_or(1, |step| *step.lines.start()),
            defect: Defect::Circle(circle.clone()),
        });
        left.retain(|step| !circle.contains(&step.number));
    }
    faults
}
