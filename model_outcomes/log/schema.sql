-- The tables that the loader owns: one append-only log, and what is kept beside it.
--
-- Any language may write to the log with a plain INSERT, so everything that the statistics
-- rest on is guarded here and not in a program: a row that is in the log is a row that counts.
-- Every check is written so that it is never NULL, since a CHECK that yields NULL passes.

create table model_outcomes (
    id integer primary key autoincrement
        constraint id_is_positive check (id > 0),
    task_type text not null
        constraint task_type_is_a_name
        check (trim(task_type, char(32, 9, 10, 13)) <> '' and instr(task_type, char(0)) = 0),
    model_id text not null
        constraint model_id_is_a_name
        check (trim(model_id, char(32, 9, 10, 13)) <> '' and instr(model_id, char(0)) = 0),
    success integer not null
        constraint success_is_0_or_1 check (success in (0, 1)),
    timeout integer not null default 0
        constraint timeout_is_0_or_1 check (timeout in (0, 1)),
    -- Upper limits keep every later sum within 64 bits: two rows of 9e18 would end all of them.
    tokens_used integer not null default 0
        constraint tokens_used_is_0_to_1e12 check (tokens_used between 0 and 1000000000000),
    cost_usd real not null default 0.0
        constraint cost_usd_is_0_to_1e6 check (cost_usd between 0.0 and 1000000.0),
    -- YYYY-MM-DD[T ]HH:MM[:SS[.f...]][Z or +-HH:MM], a time that exists; without offset it is UTC.
    -- The first 16 characters are held to their form and to a round trip (2026-02-31 comes back
    -- as March); SQLite's own parser judges the rest, less the blanks and letters it lets pass.
    -- Before 1970 lie the zero times of programs that had none to give; a trigger looks at the offset too.
    timestamp text not null
        constraint timestamp_is_iso_8601
        check (
            substr(timestamp, 1, 16)
            glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]'
            and strftime('%Y-%m-%d %H:%M', substr(timestamp, 1, 16), '+0 seconds')
            is substr(timestamp, 1, 10) || ' ' || substr(timestamp, 12, 5)
            and substr(timestamp, 17) not glob '*[^-+.:0-9Z]*'
            and instr(timestamp, char(0)) = 0
            and julianday(timestamp) is not null
            and timestamp >= '1970'
        ),
    event_id text unique
        constraint event_id_is_not_empty check (event_id is null or event_id <> ''),
    task_id text
        constraint task_id_is_not_empty check (task_id is null or task_id <> ''),
    experiment_id text
        constraint experiment_id_is_not_empty check (experiment_id is null or experiment_id <> ''),
    recorded_by text
        constraint recorded_by_is_not_empty check (recorded_by is null or recorded_by <> ''),
    duration_ms integer
        constraint duration_ms_is_0_to_1e12
        check (duration_ms is null or duration_ms between 0 and 1000000000000),
    input_tokens integer
        constraint input_tokens_is_0_to_1e12
        check (input_tokens is null or input_tokens between 0 and 1000000000000),
    output_tokens integer
        constraint output_tokens_is_0_to_1e12
        check (output_tokens is null or output_tokens between 0 and 1000000000000),
    error_type text
        constraint error_type_is_not_empty check (error_type is null or error_type <> ''),
    -- plan: a flat rate, so that no money belongs to the attempt.
    cost_source text
        constraint cost_source_is_provider_local_or_plan
        check (cost_source is null or cost_source in ('provider', 'local', 'plan')),
    agent text
        constraint agent_is_not_empty check (agent is null or agent <> ''),
    effort text
        constraint effort_is_not_empty check (effort is null or effort <> ''),
    variant text
        constraint variant_is_not_empty check (variant is null or variant <> ''),
    attempt integer
        constraint attempt_is_1_to_1e6 check (attempt is null or attempt between 1 and 1000000),
    score real
        constraint score_is_0_to_1 check (score is null or score between 0.0 and 1.0),
    -- Never 0: what a policy never chooses is not tried.
    propensity real
        constraint propensity_is_above_0_to_1 check (propensity is null or (propensity > 0.0 and propensity <= 1.0)),
    cached_input_tokens integer
        constraint cached_input_tokens_is_0_to_input_tokens
        check (
            cached_input_tokens is null
            or cached_input_tokens between 0 and coalesce(input_tokens, 1000000000000)
        ),
    -- A JSON object of at most 4 kB.
    attributes text
        constraint attributes_is_a_json_object_up_to_4096_bytes
        check (
            attributes is null
            or (
                length(cast(attributes as blob)) <= 4096
                and case when json_valid(attributes) then json_type(attributes) = 'object' else 0 end
            )
        )
) strict;

create index model_outcomes_task_model on model_outcomes (task_type, model_id);
create index model_outcomes_timestamp on model_outcomes (timestamp desc);

create trigger model_outcomes_refuse_update before update on model_outcomes
begin
    select raise(abort, 'model_outcomes is append-only: record a new outcome instead of changing one');
end;

create trigger model_outcomes_refuse_delete before delete on model_outcomes
begin
    select raise(abort, 'model_outcomes is append-only: outcomes are never deleted');
end;

-- What a check cannot say. One trigger for all of it, as each costs every insert.
-- id: in a BEFORE trigger it is -1 if it was left out. What is refused here would otherwise replace a row
-- (INSERT OR REPLACE fires no delete trigger), hide a row below the statistics' last id, or use up the ids.
-- timestamp: a wrong clock must not put a row where no calendar looks for it. Only a text that begins with
-- tomorrow or later can be more than a day ahead, or one that begins with today and ends in an offset such
-- as -05:00: few rows need the arithmetic.
-- tokens_used: 0 is unknown. Above the column's limit a sum is recorded as the limit.
create trigger model_outcomes_refuse_insert before insert on model_outcomes
when
    new.id <> -1
    or new.timestamp >= date('now', '+1 day')
    or new.timestamp < '1970-01-02'
    or (substr(new.timestamp, -6, 1) = '-' and new.timestamp >= date('now'))
    or (
        new.tokens_used > 0
        and new.tokens_used < min(coalesce(new.input_tokens, 0) + coalesce(new.output_tokens, 0), 1000000000000)
    )
begin
    select raise(abort, 'model_outcomes.id must be above the last one: leave it out')
    where new.id <> -1 and new.id <= (select coalesce(max(id), 0) from model_outcomes);
    select raise(abort, 'model_outcomes.id jumps too far ahead: leave it out')
    where new.id > (select coalesce(max(id), 0) + 1000000 from model_outcomes);
    select raise(abort, 'timestamp is more than a day ahead of now: check the clock that it is from')
    where julianday(new.timestamp) > julianday('now', '+1 day');
    select raise(abort, 'timestamp is before 1970-01-01T00:00:00Z')
    where julianday(new.timestamp) < julianday('1970-01-01');
    select raise(abort, 'tokens_used is below input_tokens + output_tokens')
    where
        new.tokens_used > 0
        and new.tokens_used < min(coalesce(new.input_tokens, 0) + coalesce(new.output_tokens, 0), 1000000000000);
end;

-- The same event again is a retry and ignored; another outcome under its name is refused.
-- `on conflict do nothing` goes on working, which a plain abort would break. A key that names another task is no key.
create trigger model_outcomes_ignore_retry before insert on model_outcomes
when new.event_id is not null
begin
    select
        case
            when task_type is not new.task_type or model_id is not new.model_id or success is not new.success
                then raise(abort, 'event_id was recorded before with another task_type, model_id or success')
            when task_id <> new.task_id
                then raise(abort, 'event_id was recorded before with another task_id')
            else raise(ignore)
        end
    from model_outcomes
    where event_id = new.event_id;
end;

-- Verdicts that changed after the outcome was recorded. The log keeps the first verdict; of the corrections of one
-- outcome the latest counts. A void outcome counts nowhere. An INSERT names the outcome by its outcome_id or by its
-- event_id; a trigger adds the outcome_id and the verdict that counted until then, from which the rollups derive their
-- differences.
create table outcome_corrections (
    correction_id integer primary key autoincrement
        constraint correction_id_is_positive check (correction_id > 0),
    outcome_id integer references model_outcomes (id),
    event_id text,
    verdict text not null
        constraint verdict_is_success_failure_or_void check (verdict in ('success', 'failure', 'void')),
    reason text
        constraint reason_is_not_empty check (reason is null or reason <> ''),
    corrected_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
        constraint corrected_at_is_iso_8601 check (julianday(corrected_at) is not null),
    corrected_by text
        constraint corrected_by_is_not_empty check (corrected_by is null or corrected_by <> ''),
    previous_verdict text
        constraint previous_verdict_is_success_failure_or_void
        check (previous_verdict is null or previous_verdict in ('success', 'failure', 'void')),
    constraint an_outcome_is_named check (outcome_id is not null or event_id is not null)
) strict;

create index outcome_corrections_outcome on outcome_corrections (outcome_id, correction_id);

create trigger outcome_corrections_refuse_insert before insert on outcome_corrections
begin
    select raise(abort, 'outcome_corrections.correction_id must be above the last one: leave it out')
    where
        new.correction_id <> -1
        and new.correction_id <= (select coalesce(max(correction_id), 0) from outcome_corrections);
    select raise(abort, 'outcome_corrections.correction_id jumps too far ahead: leave it out')
    where new.correction_id > (select coalesce(max(correction_id), 0) + 1000000 from outcome_corrections);
    select raise(abort, 'previous_verdict is filled in by a trigger: leave it out')
    where new.previous_verdict is not null;
    select raise(abort, 'no outcome has this event_id')
    where new.event_id is not null and not exists (select 1 from model_outcomes where event_id = new.event_id);
    select raise(abort, 'no outcome has this outcome_id')
    where new.outcome_id is not null and not exists (select 1 from model_outcomes where id = new.outcome_id);
    select raise(abort, 'outcome_id and event_id name two outcomes')
    where
        new.outcome_id is not null and new.event_id is not null
        and new.outcome_id is not (select id from model_outcomes where event_id = new.event_id);
end;

create trigger outcome_corrections_complete after insert on outcome_corrections
begin
    update outcome_corrections
    set
        outcome_id = coalesce(new.outcome_id, (select id from model_outcomes where event_id = new.event_id)),
        previous_verdict = coalesce(
            (
                select earlier.verdict from outcome_corrections as earlier
                where
                    earlier.outcome_id
                    = coalesce(new.outcome_id, (select id from model_outcomes where event_id = new.event_id))
                    and earlier.correction_id < new.correction_id
                order by earlier.correction_id desc
                limit 1
            ),
            (
                select case when success = 1 then 'success' else 'failure' end from model_outcomes
                where id = coalesce(new.outcome_id, (select id from model_outcomes where event_id = new.event_id))
            )
        )
    where correction_id = new.correction_id;
end;

create trigger outcome_corrections_refuse_update before update on outcome_corrections
when old.previous_verdict is not null
begin
    select raise(abort, 'outcome_corrections is append-only: insert a new correction instead of changing one');
end;

create trigger outcome_corrections_refuse_delete before delete on outcome_corrections
begin
    select raise(abort, 'outcome_corrections is append-only: corrections are never deleted');
end;

-- Opening balances taken over from aggregate JSON. A cell (task type x model) may have several
-- rows, one per import that brought more; they add up. Costs are whole nano-dollars, so that
-- the differences between two imports are exact.
create table legacy_model_stats (
    load_id integer not null references load_history (load_id),
    task_type text not null,
    model_id text not null,
    successes integer not null check (successes >= 0),
    failures integer not null check (failures >= 0),
    timeouts integer not null check (timeouts between 0 and failures),
    total_tokens integer not null check (total_tokens >= 0),
    total_cost_nano_usd integer not null check (total_cost_nano_usd >= 0),
    last_used text,
    primary key (load_id, task_type, model_id)
) strict;

-- One row per load of one file: what it was, how far it was read, what came of it. It is written
-- in the transaction of the rows it speaks of, so a killed load goes on exactly where it stopped.
-- A file is known by what it holds, not by its path: the digests are over the first and the last
-- stretch (at most 64 KiB each) of the bytes before end_offset, the CRC-32 (null in older rows) over
-- all of them. A load compares lines without event_id with the log. If it is killed, its end_offset
-- is 0, and the next load begins again. Of an orchestrator's database the head is the fingerprint of
-- its files, and empty where another pass may find something else; the offsets of a mirror's pass are
-- how many rows the mirror had before and after it.
create table load_history (
    load_id integer primary key,
    source text not null,
    format text not null,
    start_offset integer not null,
    end_offset integer not null check (end_offset >= start_offset),
    end_line integer not null,
    head_bytes integer not null,
    head_sha256 text not null,
    tail_sha256 text not null,
    accepted_count integer not null default 0,
    duplicate_count integer not null default 0,
    rejected_count integer not null default 0,
    started_at text not null,
    finished_at text,
    content_crc32 integer
) strict;

create index load_history_heads on load_history (head_bytes, head_sha256, end_offset);

-- Every rejected line, with the first 4 kB of its text. `reasons` is a JSON array with an object for each fault:
-- `problem`, and if known `field` and `got` (the wrong value). A load keeps 1,000 lines. One more row counts the
-- others in `lines` of its reason.
create table rejected_outcomes (
    rejected_id integer primary key,
    load_id integer not null references load_history (load_id),
    source text not null,
    line_number integer not null,
    reasons text not null,
    raw_text text not null,
    rejected_at text not null
) strict;

-- One row per run of `loader run`. A row that still says `running` when the next run begins is of one that was
-- killed. `changes` (JSON) is what was new since the run before; `state` (JSON), which it was compared
-- with, is kept of the last one that was built.
create table run_history (
    run_id text primary key,
    started_at text not null,
    finished_at text,
    status text not null check (status in ('running', 'succeeded', 'failed', 'interrupted', 'killed')),
    exit_code integer,
    target text not null default 'sqlite',
    message text,
    accepted_count integer not null default 0,
    duplicate_count integer not null default 0,
    rejected_count integer not null default 0,
    dbt_node_count integer not null default 0,
    dbt_failure_count integer not null default 0,
    dbt_seconds real not null default 0.0,
    is_published integer not null default 0 check (is_published in (0, 1)),
    stale_count integer not null default 0,
    demotion_count integer not null default 0,
    drift_count integer not null default 0,
    degenerate_count integer not null default 0,
    changes text,
    state text
) strict;

-- The files of the inbox that `loader run` has finished with: one that has not changed since is not opened again.
-- `fault` says why the file could not be read. `attempts` counts the runs that began to read the file and ended
-- before anything of it was loaded: the row is written before the file is opened, and 0 when the run is done with it.
create table inbox_files (
    path text primary key,
    size_bytes integer not null,
    modified_ns integer not null,
    fault text,
    attempts integer not null default 0,
    seen_at text not null
) strict, without rowid;

-- A mirror of the orchestrator's (UOK) table of the same name, kept by `loader sync-uok`: what its
-- database said last. recorded_at is the unit's start in epoch milliseconds, load_id the pass that
-- wrote the row last. Nulls in the optional columns are unknown; nothing verified a unit whose
-- verification_passed is null.
create table llm_task_outcomes (
    model_id text not null,
    provider text,
    unit_type text not null,
    unit_id text not null,
    succeeded integer not null check (succeeded in (0, 1)),
    retries integer check (retries is null or retries between 0 and 1000000000000),
    escalated integer check (escalated is null or escalated in (0, 1)),
    verification_passed integer check (verification_passed is null or verification_passed in (0, 1)),
    blocker_discovered integer check (blocker_discovered is null or blocker_discovered in (0, 1)),
    duration_ms integer check (duration_ms is null or duration_ms between 0 and 1000000000000),
    tokens_total integer check (tokens_total is null or tokens_total between 0 and 1000000000000),
    cost_usd real check (cost_usd is null or cost_usd between 0.0 and 1000000.0),
    recorded_at integer not null,
    load_id integer references load_history (load_id),
    primary key (unit_type, unit_id, recorded_at)
) strict, without rowid;

-- Federation. This project's pseudonym among others: random, made once, and nothing else about it.
create table federated_identity (
    only_row integer primary key check (only_row = 1),
    project text not null check (length(project) = 32)
) strict;

-- Names by which task types and models leave, once and for all: what has left, and what the user asked for.
-- kind is task_type or model_id, name the recorded one, or the one that model_aliases has for it.
create table federated_names (
    kind text not null check (kind in ('task_type', 'model_id')),
    name text not null,
    published_name text not null,
    primary key (kind, name)
) strict, without rowid;

-- One row per export: its window (`opening`, or first day/last day), and its text as it left.
-- Each window has one current export: the one that no other has replaced.
create table federated_exports (
    export_id integer primary key,
    export_window text not null,
    last_day text,
    as_of text not null,
    licence text not null,
    epsilon real check (epsilon is null or epsilon > 0),
    row_count integer not null,
    rows_sha256 text not null,
    content text not null,
    replaced_by integer references federated_exports (export_id),
    unique (export_window, as_of)
) strict;

-- The rows of exact exports, under published names: the cell's outcomes since its last row before,
-- up to the window's last day. A carry is null, or counts hundreds of billions that its sum has above 10^18.
create table federated_export_rows (
    export_id integer not null references federated_exports (export_id),
    task_type text not null,
    model_id text not null,
    outcomes integer not null,
    successes integer not null,
    timeouts integer not null,
    infrastructure_failures integer not null,
    metered_trials integer,
    priced_trials integer,
    priced_successes integer,
    tokens integer not null,
    tokens_squared real,
    cost_nano_usd integer not null,
    cost_usd_squared real,
    success_cost_nano_usd integer,
    infrastructure_tokens integer,
    infrastructure_cost_nano_usd integer,
    tokens_carry integer,
    cost_carry integer,
    success_cost_carry integer,
    infrastructure_tokens_carry integer,
    infrastructure_cost_carry integer,
    first_day text,
    last_day text,
    primary key (export_id, task_type, model_id)
) strict;

-- The ledger of privacy: one row per draw of noise, over outcomes of a cell that no draw saw before.
-- It is kept apart from what left: `export_id` is the export that told of it, null while held back.
create table federated_draws (
    draw_id integer primary key,
    drawn_at text not null,
    export_window text not null,
    task_type text not null,
    model_id text not null,
    epsilon real not null check (epsilon > 0),
    successes integer not null,
    failures integer not null,
    noisy_successes integer not null,
    noisy_failures integer not null,
    export_id integer references federated_exports (export_id)
) strict;

-- Exports of other projects; one per project and window.
create table federated_imports (
    import_id integer primary key,
    project text not null,
    export_window text not null,
    as_of text not null,
    licence text not null,
    epsilon real,
    row_count integer not null,
    rows_sha256 text not null,
    source text not null,
    imported_at text not null,
    unique (project, export_window)
) strict;

create table federated_import_rows (
    import_id integer not null references federated_imports (import_id) on delete cascade,
    task_type text not null,
    model_id text not null,
    outcomes integer,
    successes integer not null,
    failures integer not null,
    timeouts integer,
    infrastructure_failures integer,
    metered_trials integer,
    priced_trials integer,
    priced_successes integer,
    tokens integer,
    tokens_squared real,
    cost_nano_usd integer,
    cost_usd_squared real,
    success_cost_nano_usd integer,
    infrastructure_tokens integer,
    infrastructure_cost_nano_usd integer,
    tokens_carry integer,
    cost_carry integer,
    success_cost_carry integer,
    infrastructure_tokens_carry integer,
    infrastructure_cost_carry integer,
    first_day text,
    last_day text,
    noise_variance real not null,
    primary key (import_id, task_type, model_id)
) strict;
