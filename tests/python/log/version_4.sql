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
    cost_source text
        constraint cost_source_is_provider_or_local
        check (cost_source is null or cost_source in ('provider', 'local'))
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
-- `on conflict do nothing` goes on working, which a plain abort would break.
create trigger model_outcomes_ignore_retry before insert on model_outcomes
when new.event_id is not null
begin
    select
        case
            when task_type = new.task_type and model_id = new.model_id and success = new.success
                then raise(ignore)
            else raise(abort, 'event_id was recorded before with another task_type, model_id or success')
        end
    from model_outcomes
    where event_id = new.event_id;
end;

