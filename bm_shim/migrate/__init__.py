# SPDX-License-Identifier: Apache-2.0
"""The conversion: machines of a nova-baremetal database become Ironic nodes, off line.

Data flows one way. What is read: the database (:mod:`source`, over a connection of
:mod:`database`), nova.conf (:mod:`settings`), the operator's file (:mod:`mapping`). What is to be
in Ironic: :mod:`plan`, pure and touching nothing, from :mod:`candidates` with their :mod:`power`
and :mod:`ports`. What is there: :mod:`fleet`. :mod:`load` brings Ironic from one to the other,
each node by a :mod:`conversion` in :mod:`steps`; :mod:`verify` compares afterwards, :mod:`report`
tells, by :mod:`output`. :mod:`runner` is the command.
"""
