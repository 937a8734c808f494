"""One client's session: a nursery and its tasks.

Two ways in, :meth:`Session.push_audio` and :meth:`Session.submit`; two ways out,
:attr:`Session.events` and :attr:`Session.audio_out`.
"""
