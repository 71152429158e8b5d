-- One row per invitation that is open on $as_of.
select email, if(coalesce(n % 6 = 4, false), 'managed', 'user') as role
from invites
where invited_on <= $as_of and invite_status(accepted_on, expires_on, $as_of) = 'pending'
