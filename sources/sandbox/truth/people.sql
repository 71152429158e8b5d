-- One row per person that can appear in any table, with the e-mail that a warehouse knows of them on $as_of:
-- the newest, or for a deleted account the one that older rows still show.
with shown as (
    select n, max_by(email_on(kind, local_part, turned_on, activity_date), activity_date) as email
    from users_facts
    inner join people using (n)
    where activity_date between $first_date and $last_date and is_visible(published_on, withdrawn_on, $as_of)
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
