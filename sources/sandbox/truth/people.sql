-- One row per person that can appear in any table, with the e-mail that a warehouse knows of them on $as_of:
-- the newest, or for a deleted account the one that older rows still show.
with sightings as (
    select activity_date, n from users_facts
    where is_visible(published_on, withdrawn_on, $as_of)
    union all
    -- Projects show who made them.
    select activity_date, creator as n
    from chat_projects_facts
    inner join projects using (n)
    inner join people on people.n = projects.creator
    where is_visible(published_on, withdrawn_on, $as_of)
        and not is_unattributed and not is_creator_deleted and coalesce(left_on > activity_date, true)
),
shown as (
    select n, max_by(email_on(kind, local_part, turned_on, activity_date), activity_date) as email
    from sightings
    inner join people using (n)
    where activity_date between $first_date and $last_date
    group by n
)
select
    n,
    user_id,
    if(is_account_deleted(n, left_on, $as_of), shown.email, email_on(kind, local_part, turned_on, $as_of)) as email,
    if(is_account_deleted(n, left_on, $as_of), null, person_name(local_part)) as name,
    joined_on,
    left_on
from people
left join shown using (n)
union all
select null as n, user_id, null as email, 'Claude Security' as name, null as joined_on, null as left_on
from other_spenders
where actor_type = 'user_actor'
